import {createContext, Script} from 'node:vm'
import {messageOf, UserError} from '../../model/errors.ts'
import {UsageError} from './command-handler.ts'

/** Stops patterns that backtrack without end, such as `(a+)+$`. */
const TIMEOUT_MS = 2000

/** Returns for each line whether it matches. Throws a UserError if that takes too long. */
export type Grep = (lines: readonly string[]) => readonly boolean[]

/** Compiles a JavaScript regular expression. Throws a UsageError if it is invalid. */
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
        explanation: `The pattern backtracks too much. Avoid nested repeats: write a+ instead of (a+)+.`,
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
