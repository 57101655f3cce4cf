import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app.tsx";
import { createServedSource, isServed } from "./source/served-source.ts";

import "./style.css";
import { createStaticSource } from "./source/static-source.ts";
import { closeTipsByEscape } from "./tips.ts";

const root = document.getElementById("page");
if (root === null) throw new Error("internal: the page has no root");
closeTipsByEscape();
createRoot(root).render(
  <StrictMode>
    <App source={isServed() ? createServedSource() : createStaticSource()} />
  </StrictMode>,
);
