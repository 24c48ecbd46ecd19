type Words<T extends string> = T extends `${infer First} ${infer Rest}`
  ? readonly [First, ...Words<Rest>]
  : readonly [T]

/** Splits a text into its words, which types know one by one. */
export const words = <const T extends string>(text: T): Words<T> => text.split(' ') as unknown as Words<T>
