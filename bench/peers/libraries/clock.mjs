// Calls that do nothing, instead of a library: the latency that the clock and the machine itself add.
export const name = () => "nothing, the clock alone";

export const prepare = () => ({ run() {} });
