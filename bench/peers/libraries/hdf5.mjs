// The library that reads Keras' files, for benches on published models.
export { default } from "h5wasm/node";
