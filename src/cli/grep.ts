import {createContext, Script} from 'node:vm'
import {messageOf, UserError} from '../model/errors.ts'
import {UsageError} from './argv.ts'

/** Patterns that try one line in more and more ways (`(a+)+$`) are stopped after so long. */
const TIMEOUT_MS = 2000

/** Which of some lines match. Throws a UserError where that takes too long. */
export type Grep = (lines: readonly string[]) => readonly boolean[]

/** Makes a filter of a regular expression of JavaScript. Throws a UsageError for one that is broken. */
export function grepOf(pattern: string): Grep {
  const expression = compiled(pattern)
  const script = new Script('match()')
  let lines: readonly string[] = []
  const context = createContext({match: () => lines.map(line => expression.test(line))})
  return given => {
    lines = given
    try {
      return script.runInContext(context, {timeout: TIMEOUT_MS}) as readonly boolean[]
    } catch (error) {
      if ((error as {readonly code?: unknown}).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      throw new UserError(`--grep ${pattern} takes too long`, {
        explanation: `It tries too many ways to match one line. A repeat within a repeat, as in (a+)+, does that: write a+.`,
        cause: error
      })
    }
  }
}

function compiled(pattern: string): RegExp {
  try {
    return new RegExp(pattern)
  } catch (error) {
    const why = messageOf(error).replace(/^Invalid regular expression: /, '')
    throw new UsageError(`invalid argument "${pattern}" for "--grep" flag: ${why}`)
  }
}
