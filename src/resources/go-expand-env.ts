/** In braces, a single special character, or a word; a brace that is never closed. */
const VARIABLE = /\$(?:\{([^}]*)\}|([-*#$@!?0-9])|(\w+)|\{)/g

/**
 * Replaces `$NAME` and `${NAME}` as Go's `os.ExpandEnv` does: a variable that is not set is empty, what is no name in braces
 * vanishes, and a `$` without a name stays.
 */
export const expandVariables = (text: string, env: Readonly<Record<string, string | undefined>>): string =>
  text.includes('$')
    ? text.replace(
        VARIABLE,
        (_, braced?: string, special?: string, word?: string) => env[braced ?? special ?? word ?? ''] ?? ''
      )
    : text
