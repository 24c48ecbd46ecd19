import type {ErrorObject} from 'ajv'

/** Returns whether a value of the key fits its definition in `schema/template.json`. `errors`: the faults of the last value. */
export interface Validate {
  (value: unknown): boolean
  readonly errors?: readonly ErrorObject[] | null
}

/** Validators of our keys, by key. */
export const validators: Readonly<
  Record<
    | 'managerPort'
    | 'version'
    | 'port'
    | 'fixedPort'
    | 'watch'
    | 'restart'
    | 'ready'
    | 'dependsOn'
    | 'reload'
    | 'stop'
    | 'replicas'
    | 'logs'
    | 'autoPort'
    | 'envFile'
    | 'kubernetes',
    Validate
  >
>
