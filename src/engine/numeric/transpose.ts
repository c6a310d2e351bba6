/** The transpose of a row-major matrix. @param out must not overlap `values` */
export function transpose(
  values: Float32Array,
  [rows, columns]: readonly [rows: number, columns: number],
  out: Float32Array = new Float32Array(values.length),
): Float32Array {
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column];
  return out;
}
