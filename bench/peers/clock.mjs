// No peer but the machine: calls that do nothing, so that what a clock and a shared core add to latencies can be seen.
export const name = () => "nothing, the clock alone";

export const prepare = () => ({ run() {} });
