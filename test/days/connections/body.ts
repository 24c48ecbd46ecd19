/** The body of a request: no two have the same. */
export const bodyOf = (id: string, bytes: number): string => `${id}-`.repeat(Math.ceil(bytes / 2)).slice(0, bytes)
