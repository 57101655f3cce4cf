/** Halves the way between a point where `holds` and one where it does not, `steps` times; gives where the two have come to. */
export function bisect(
  holds: (x: number) => boolean,
  inside: number,
  outside: number,
  steps: number,
): readonly [inside: number, outside: number] {
  let [near, far] = [inside, outside];
  for (let step = 0; step < steps; step++) {
    const middle = (near + far) / 2;
    if (holds(middle)) near = middle;
    else far = middle;
  }
  return [near, far];
}

/** A point and what a function gives there. */
export type Sample = readonly [x: number, value: number];

/**
 * The root of a falling function between `low`, where it is above 0, and `high`, where it is below, to within `tolerance` of `high`. False
 * position; halving the value of an end that stays keeps it from stalling (the Illinois rule). With `stopsAtEnds` a step that rounds to an
 * end is the last.
 */
export function fallingRoot(
  f: (x: number) => number,
  [lowEnd, atLowEnd]: Sample,
  [highEnd, atHighEnd]: Sample,
  {
    tolerance,
    stopsAtEnds = false,
  }: { readonly tolerance: (high: number) => number; readonly stopsAtEnds?: boolean },
): number {
  let [low, atLow, high, atHigh] = [lowEnd, atLowEnd, highEnd, atHighEnd];
  let last = 0;
  for (let step = 0; step < 100 && high - low > tolerance(high); step++) {
    const middle = low + ((high - low) * atLow) / (atLow - atHigh);
    const value = f(middle);
    const isEnd = stopsAtEnds && (middle <= low || middle >= high);
    if (value === 0 || isEnd) return middle;
    if (value > 0) {
      [low, atLow] = [middle, value];
      if (last > 0) atHigh /= 2;
    } else {
      [high, atHigh] = [middle, value];
      if (last < 0) atLow /= 2;
    }
    last = Math.sign(value);
  }
  return (low + high) / 2;
}
