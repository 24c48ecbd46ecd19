/** Whether a text is one of Dapr's words for true, in any capitals (Dapr: kit/utils, IsTruthy). */
export const isTruthy = (word: string): boolean => /^(?:y|yes|true|t|on|1)$/i.test(word)
