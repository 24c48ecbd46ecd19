import {ownOf} from './own.ts'

/** Environment variables by name, as `process.env` has them: of the shell in which a run was started, unless said otherwise. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The value of a variable that a file names; '' = it is not set. No object's `constructor` is one. */
export const variableOf = (env: Environment, name: string): string => ownOf(env, name) ?? ''
