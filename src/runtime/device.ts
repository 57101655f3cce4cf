/** Where graphs run. Only `cpu` is always there; the others need their ONNX Runtime library. */
export const DEVICES = ["cpu", "cuda", "webgpu", "coreml", "dml"] as const;
export type Device = (typeof DEVICES)[number];
