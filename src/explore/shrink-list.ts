/**
 * Delta debugging: leaving out of a list whatever is not needed (Zeller, Hildebrandt: "Simplifying and Isolating Failure-Inducing Input",
 * IEEE TSE 2002), in pieces that are halved from round to round.
 */

/**
 * A part of `items` of which no single item can be left out, in their order, as long as `isEnough` keeps answering. Each of its calls is
 * given what would be left; the whole list is taken to be enough, and nothing is asked about the empty one twice.
 */
export async function shrinkList<T>(items: readonly T[], isEnough: (left: readonly T[]) => Promise<boolean>): Promise<readonly T[]> {
  let kept = items;
  for (let size = kept.length; size > 0; ) {
    let isShorter = false;
    for (let from = 0; from < kept.length; ) {
      const left = kept.toSpliced(from, size);
      if (await isEnough(left)) {
        kept = left;
        isShorter = true;
      } else from += size;
    }
    // What was needed for something that is gone now may have become free.
    if (size > 1) size = Math.min(size >> 1, kept.length);
    else if (!isShorter) break;
  }
  return kept;
}
