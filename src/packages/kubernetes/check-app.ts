import {existsSync} from 'node:fs'
import {join} from 'node:path'
import type {Entry} from '../../files/config/service-versions.ts'
import {dockerRunOf} from '../../model/docker-run.ts'
import type {AppPlan} from '../../model/plan.ts'
import {labelsOf, type AppObjects} from './object.ts'
import type {Mistakes} from './mistakes.ts'
import {hidesSidecar, podPort} from './variables.ts'

/** Dapr's operator makes a Service `ID-dapr`, and a Service's name is a DNS label of at most 63 characters. */
const APP_ID = /^[a-z](?:[-a-z0-9]{0,56}[a-z0-9])?$/
/** The name of an annotation or a label, with an optional domain before it. */
const QUALIFIED_NAME = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
/** The name of a variable, as all versions of Kubernetes accept it, or of a key in a Secret. */
const VARIABLE_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/
const SECRET_KEY = /^[-._a-zA-Z0-9]+$/
/** Maximum bytes of an object: the API server refuses much larger ones (etcd accepts 1.5 MiB including overhead). */
const MAX_OBJECT_BYTES = 2 ** 20

/** No program can be started with a longer variable (`MAX_ARG_STRLEN` of Linux, with name, `=` and the end). */
const MAX_VARIABLE_BYTES = 128 * 1024 - 1

const OUR_LABELS = [...Object.keys(labelsOf('')), 'app']

const BUILD_FILES = ['Dockerfile', 'Containerfile']

/** Returns the file from which an app's image can be built; '': none. */
export const buildFileOf = (folder: string): string => BUILD_FILES.find(name => existsSync(join(folder, name))) ?? ''

/** Returns the image of an app: the one in the template, or the one that its command pulls; '': none. */
export const imageNameOf = ({elsewhere, command}: Pick<AppPlan, 'elsewhere' | 'command'>): string =>
  elsewhere.containerImage || (dockerRunOf(command)?.image ?? '')

/** Checks an app before its objects are made. */
export function checkApp({settings, plan}: Entry, hasImage: boolean, mistakes: Mistakes): void {
  const {values} = settings
  const app = `app ${JSON.stringify(plan.id)}`
  const file = buildFileOf(plan.folder)
  if (!APP_ID.test(plan.id))
    mistakes.refuse(settings, {
      key: 'appID',
      message: `${app}: the id cannot name objects in Kubernetes`,
      expected: 'expected a lower case letter, then lower case letters, digits and -, at most 58 characters',
      hint: suggestedId(plan.id)
    })
  if (!hasImage)
    mistakes.refuse(settings, {
      code: 'missing-key',
      key: 'containerImage',
      message: `${app} has no containerImage`,
      hint: `write containerImage: the image that contains the app${file === '' ? '' : `; or build its ${file} with run -k --build`}`
    })
  if (values.createService === true && podPort({settings, plan}) === 0)
    mistakes.refuse(settings, {
      code: 'conflicting-keys',
      key: 'createService',
      message: `${app}: createService needs an appPort`,
      hint: 'write appPort: the port that the app listens on'
    })
  checkNames({settings, plan}, mistakes)
}

const suggestedId = (id: string): string => {
  const better = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
  return APP_ID.test(better) ? `write ${better}, wherever the app is called` : ''
}

function checkNames({settings, plan}: Entry, mistakes: Mistakes): void {
  const {env = {}, kubernetes: {annotations = {}, labels = {}} = {}} = settings.values
  const wrongVariable = Object.keys(env).find(name => !VARIABLE_NAME.test(name))
  if (wrongVariable !== undefined)
    mistakes.refuse(settings, {
      key: 'env',
      inside: [wrongVariable],
      message: `Kubernetes does not take ${JSON.stringify(wrongVariable)} as the name of a variable`,
      expected: 'expected letters, digits, -, _ and ., no digit first'
    })
  for (const [key, all] of Object.entries({annotations, labels}))
    for (const name of Object.keys(all)) {
      const isReserved = key === 'labels' && OUR_LABELS.includes(name)
      if (QUALIFIED_NAME.test(name) && !isReserved) continue
      const message = isReserved
        ? `app ${JSON.stringify(plan.id)}: the label ${name} is set by Pillion`
        : `kubernetes.${key}: ${JSON.stringify(name)} is not a name`
      const expected = isReserved ? '' : 'expected letters, digits, -, _ and ., with an optional domain and / before'
      mistakes.refuse(settings, {key: 'kubernetes', inside: [key, name], message, expected})
    }
}

/** Checks the objects of an app: names and lengths of variables, the size of each object, and the patch. */
export function checkAppObjects({settings}: Entry, {id, workload, secret}: AppObjects, mistakes: Mistakes): void {
  const longest = Object.entries(settings.values.env ?? {}).find(
    ([name, value]) => Buffer.byteLength(`${name}=${value}`) > MAX_VARIABLE_BYTES
  )
  if (longest !== undefined)
    mistakes.refuse(settings, {
      key: 'env',
      inside: [longest[0]],
      message: `app ${JSON.stringify(id)}: the variable ${longest[0]} is longer than 128 KiB: no program can be started with it`,
      hint: 'put large values into a file of the image or a volume'
    })
  const wrongKey = Object.keys(secret?.['data'] ?? {}).find(name => !SECRET_KEY.test(name))
  if (wrongKey !== undefined)
    mistakes.refuse(settings, {
      key: 'envFile',
      message: `Kubernetes does not take ${JSON.stringify(wrongKey)} as the name of a variable`,
      expected: 'expected letters, digits, -, _ and .'
    })
  for (const [key, object] of [
    ['env', workload],
    ['envFile', secret]
  ] as const) {
    const bytes = Buffer.byteLength(JSON.stringify(object ?? ''))
    if (bytes <= MAX_OBJECT_BYTES) continue
    const message = `app ${JSON.stringify(id)}: its ${object?.kind ?? ''} has ${bytes} bytes, and Kubernetes keeps at most ${MAX_OBJECT_BYTES}`
    mistakes.refuse(settings, {key, message, hint: 'put large values into a file of the image or a volume'})
  }
  checkPatch(settings, id, mistakes)
}

/** Refuses a patch of the kind, name or labels of an object: Pillion finds its objects by them. */
function checkPatch(settings: Entry['settings'], id: string, mistakes: Mistakes): void {
  const {patch} = settings.values.kubernetes ?? {}
  if (patch === undefined) return
  const {metadata} = patch as {readonly metadata?: Readonly<Record<string, unknown>> | null}
  const labels = (metadata?.['labels'] ?? {}) as Readonly<Record<string, unknown>>
  const changed = [
    ...['apiVersion', 'kind'].filter(key => key in patch).map(key => [key]),
    ...(metadata === null || typeof metadata === 'string' ? [['metadata']] : []),
    ...['name', 'namespace'].filter(key => metadata?.[key] !== undefined).map(key => ['metadata', key]),
    ...(metadata?.['labels'] === null ? [['metadata', 'labels']] : []),
    ...OUR_LABELS.filter(key => labels[key] !== undefined).map(key => ['metadata', 'labels', key])
  ]
  for (const path of changed)
    mistakes.refuse(settings, {
      key: 'kubernetes',
      inside: ['patch', ...path],
      message: `app ${JSON.stringify(id)}: kubernetes.patch cannot change ${path.join('.')}`
    })
}

/** Returns the variables of `env` that are left out of a container, as they would hide the ports of its sidecar. */
export const hiddenVariables = ({settings}: Entry): readonly string[] =>
  Object.keys(settings.values.env ?? {}).filter(hidesSidecar)
