/** Copies between two strided layouts: transposes, slices, joins and broadcasts are this one kernel. */
import { encodeStrided, type StridedAxis } from "../abi/records.ts";
import type { Shape } from "../base/shape.ts";
import { read, update, write, type Tensor } from "../graph/tensor.ts";
import type { Trace } from "../graph/trace.ts";

/** Row-major strides in elements. */
export function strides(shape: Shape): number[] {
  const result = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    result[axis] = stride;
    stride *= shape[axis];
  }
  return result;
}

/** One loop over `sizes`, with its own strides on either side. */
export interface StridedLoop {
  readonly sizes: readonly number[];
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Axes that run on as one on both sides become one; axes of size 1 go. */
function merged({ sizes, from, to }: StridedLoop): StridedAxis[] {
  const axes: StridedAxis[] = [];
  sizes.forEach((size, i) => {
    if (size === 1) return;
    const outer = axes.at(-1);
    if (outer && outer[1] === from[i] * size && outer[2] === to[i] * size)
      axes[axes.length - 1] = [outer[0] * size, from[i], to[i]];
    else axes.push([size, from[i], to[i]]);
  });
  return axes.length > 0 ? axes : [[1, 1, 1]];
}

function spec(trace: Trace, loop: StridedLoop): Tensor {
  return trace.constant(encodeStrided(merged(loop)));
}

/** y = x, element by element of the loop. */
export function stridedCopy(trace: Trace, loop: StridedLoop, x: Tensor, y: Tensor): void {
  trace.call("f32_copy_strided", read(spec(trace, loop)), read(x), write(y));
}

/** y += x; where y's stride is 0 that is a sum. */
export function stridedAdd(trace: Trace, loop: StridedLoop, x: Tensor, y: Tensor): void {
  trace.call("f32_copy_strided_acc", read(spec(trace, loop)), read(x), update(y));
}
