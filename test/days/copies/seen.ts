/** Returns what answers at the URL; '' = nobody answers. */
export const textAt = async (url: string): Promise<string> => {
  try {
    return await (await fetch(url)).text()
  } catch {
    return ''
  }
}

/** Returns what a run must never print, a sentence each. */
export const outcriesIn = (printed: string): readonly string[] =>
  printed
    .split('\n')
    .filter(line => /^ {4}at .*[:)]|unhandled|is a bug in|cannot apply the edit/i.test(line))
    .map(line => `the run says: ${line}`)
