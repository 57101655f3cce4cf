import { storeMethod } from "../store-method.ts";

export const probe = storeMethod({
  name: "probe",
  features: "states",
  meaning:
    "Going from the rejected to the chosen response moves the activations the way the behaviour does.",
});
