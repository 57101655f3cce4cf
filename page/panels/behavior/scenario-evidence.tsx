import type { ReactNode } from "react";

import type { PartValues } from "../../../src/report/report-source.ts";

/** The rollouts of one scenario in the four conditions, side by side, each with its verdict. */
export function ScenarioEvidence({
  scenario,
}: {
  readonly scenario: PartValues["scenarios"]["scenarios"][number];
}): ReactNode {
  return (
    <div className="sides">
      {scenario.conditions.map(({ checkpoint, variant, prompt, rollouts, more }) => (
        <div className="side" key={`${checkpoint} ${variant}`}>
          <h3>
            {checkpoint} × {variant}
          </h3>
          <p className="role">prompt</p>
          <p className="turn">{prompt === "" ? "not in this report" : prompt}</p>
          {rollouts.map(({ sample, response, verdict, reason, score }) => (
            <div className="rollout" key={sample}>
              <p className="role">
                <span className={`label ${verdict}`}>{verdict}</span>
                {score === undefined ? "" : ` (${score})`}
                {reason !== undefined && (
                  <>
                    : <bdi>{reason}</bdi>
                  </>
                )}
              </p>
              <p className="turn">{response === "" ? "(empty)" : response}</p>
            </div>
          ))}
          {more > 0 && <p className="quiet">{more} more are not in this report.</p>}
        </div>
      ))}
    </div>
  );
}
