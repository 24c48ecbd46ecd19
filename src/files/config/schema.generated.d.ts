import type {ErrorObject} from 'ajv'

/** Says whether a value of the key fits its definition in `schema/template.json`; `errors` tells the last call's faults. */
export interface Validate {
  (value: unknown): boolean
  readonly errors?: readonly ErrorObject[] | null
}

/** By key. */
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
