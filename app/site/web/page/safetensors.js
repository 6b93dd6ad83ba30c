// Reads safetensors files.

/** @typedef {{shape: number[], values: Float32Array | Int32Array | Int8Array | Uint8Array}} Tensor */

/** @type {Record<string, new (bytes: ArrayBuffer) => Tensor["values"]>} */
const ARRAYS = { F32: Float32Array, I32: Int32Array, I8: Int8Array, U8: Uint8Array };

/**
 * The tensors of a safetensors file: 8 bytes of header length, a JSON header, little-endian values.
 * @param {ArrayBuffer} file
 * @returns {{tensors: Map<string, Tensor>, facts: Record<string, string>}}
 */
export function readSafetensors(file) {
  const start = 8 + new DataView(file).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, start - 8)));
  const { __metadata__: facts = {}, ...entries } = header;
  const tensors = new Map(
    Object.entries(entries).map(([name, { dtype, shape, data_offsets: [from, to] }]) => {
      const bytes = file.slice(start + from, start + to);
      return [name, { shape, values: new ARRAYS[dtype](bytes) }];
    }),
  );
  return { tensors, facts };
}
