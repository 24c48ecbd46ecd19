import {UsageError} from './command-handler.ts'
import type {Flag} from './flag.ts'
import type {GivenFlags} from './given-flags.ts'

const VARIABLE = /^([\w.-]+)=(.*)$/s

/** Throws a `UsageError` for a value of `--env` that is not KEY=VALUE: often the `-e` of an app's command. */
function checkVariable(value: string): void {
  if (VARIABLE.test(value)) return
  // a name of capitals is a variable without its value
  const hint = /^[A-Z\d_]+$/.test(value) ? '' : '; write -- before the command of the app: run … -- node -e …'
  throw new UsageError(`invalid argument ${JSON.stringify(value)} for "-e, --env" flag: expected KEY=VALUE${hint}`)
}

/** The variables of `--env`; the last one of a name wins. */
export const flagVariables = (flags: GivenFlags): Readonly<Record<string, string>> =>
  Object.fromEntries(
    flags.list('env').map(each => {
      const [, name = '', value = ''] = VARIABLE.exec(each) ?? []
      return [name, value]
    })
  )

/** `--env` of a command. */
export const envFlag = (text = 'Set an environment variable of every app, KEY=VALUE; may be repeated'): Flag => ({
  name: 'env',
  short: 'e',
  type: 'stringArray',
  text,
  check: checkVariable
})
