import type {Line} from './api.generated.ts'

/** The levels that each choice includes: its own and the more serious ones. */
export const AT_LEAST: Readonly<Record<string, readonly string[]>> = {
  error: ['error'],
  warn: ['error', 'warn'],
  info: ['error', 'warn', 'info']
}

/** Gives continuation lines, such as a stack trace, which begin with a space, the level of the line before them. */
export class Levels {
  readonly #latest = new Map<string, Line['level']>()

  of(line: Line): Line {
    const key = `${line.app} ${line.stream}`
    const before = this.#latest.get(key)
    const level = line.level ?? (before !== undefined && /^\s+\S/.test(line.line) ? before : undefined)
    if (level !== before) this.#latest.set(key, level)
    return level === undefined || level === line.level ? line : {...line, level}
  }
}
