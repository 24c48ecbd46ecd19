import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {Ajv} from 'ajv'
import type {KubernetesObject} from '../object.ts'

const FOLDER = join(import.meta.dirname, '../../../../test/fixtures/kubernetes/schemas')

/** What is wrong with a value; '': nothing. */
type Check = (value: unknown) => string

const read = (name: string): object => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as object

function compiled(schema: object, at = ''): Check {
  const ajv = new Ajv({allErrors: true, strict: false})
  ajv.addSchema({...schema, $id: 'it'})
  const validate = ajv.getSchema(`it${at}`)
  if (validate === undefined) throw new Error(`no schema at ${at}`)
  return value => (validate(value) === true ? '' : ajv.errorsText(validate.errors))
}

const KINDS: Readonly<Record<string, string>> = {
  'Deployment apps/v1': 'apps.v1.Deployment',
  'Job batch/v1': 'batch.v1.Job',
  'Service v1': 'core.v1.Service',
  'Secret v1': 'core.v1.Secret'
}

/** Checks of objects, by the version of Kubernetes whose API they are for; Dapr's kinds are in each. */
export function kubernetesChecks(): ReadonlyMap<string, (object: KubernetesObject) => string> {
  const files = readdirSync(FOLDER)
  const {kinds} = readDapr()
  const dapr = Object.entries(kinds).map(([kind, schema]) => [kind, compiled(schema)] as const)
  return new Map(
    files
      .filter(name => name.startsWith('kubernetes-'))
      .map(name => {
        const schema = read(name)
        const own = Object.entries(KINDS).map(
          ([kind, definition]) => [kind, compiled(schema, `#/definitions/${definition}`)] as const
        )
        const checks = new Map([...own, ...dapr])
        return [name, object => checks.get(`${object.kind} ${object.apiVersion}`)?.(object) ?? `no kind ${object.kind}`]
      })
  )
}

/** The annotations of a pod that Dapr's injector reads. */
export const daprAnnotations = (): readonly string[] => readDapr().annotations

interface DaprFile {
  readonly kinds: Readonly<Record<string, object>>
  readonly annotations: readonly string[]
}

const readDapr = (): DaprFile => read(readdirSync(FOLDER).find(name => name.startsWith('dapr-')) ?? '') as DaprFile

export const composeCheck = (): Check =>
  compiled(read(readdirSync(FOLDER).find(name => name.startsWith('compose-')) ?? ''))
