type Words<T extends string> = T extends `${infer First} ${infer Rest}`
  ? readonly [First, ...Words<Rest>]
  : readonly [T]

/** A list of words that is written as one text. */
export const words = <const T extends string>(text: T): Words<T> => text.split(' ') as unknown as Words<T>
