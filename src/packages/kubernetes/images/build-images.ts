import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Options, Result} from 'execa'
import {UserError} from '../../../model/errors.ts'
import {buildFileOf, imageNameOf} from '../check-app.ts'
import type {AppPlan} from '../../../model/plan.ts'
import type {Image} from '../pod.ts'

/** The way of a built image to a cluster. */
interface ImageDelivery {
  /** Command that loads an image. undefined: the cluster uses the builder's own images. */
  readonly command: ((image: string) => readonly string[]) | undefined
  /** Description of the command: `Loading into kind`. */
  readonly text: string
  readonly env?: Readonly<Record<string, string>>
}

/** Returns how images get to a cluster, by the name of its context, unless `--registry` is given. Throws a `UserError` if no way is known. */
function deliveryTo(context: string, builder: string, registry: string): ImageDelivery {
  if (registry !== '') return {command: image => [builder, 'push', image], text: 'Pushing'}
  const [, tool = '', name = ''] = /^(kind|k3d)-(.+)$/.exec(context) ?? []
  if (tool === 'kind')
    return {
      command: image => ['kind', 'load', 'docker-image', image, '--name', name],
      text: 'Loading into kind',
      env: builder === 'docker' ? {} : {KIND_EXPERIMENTAL_PROVIDER: builder}
    }
  if (tool === 'k3d') return {command: image => ['k3d', 'image', 'import', image, '-c', name], text: 'Loading into k3d'}
  if (context === 'minikube')
    return {command: image => ['minikube', 'image', 'load', image], text: 'Loading into minikube'}
  if (['docker-desktop', 'orbstack'].includes(context)) return {command: undefined, text: ''}
  throw new UserError(`built images cannot be loaded into the cluster of the context "${context}"`, {
    explanation: 'Add --registry HOST/PATH: a registry to which you may push, and from which the cluster pulls.'
  })
}

/** An app whose image is built. */
export interface UnbuiltImage {
  readonly id: string
  /** The folder of its Dockerfile or Containerfile. */
  readonly folder: string
}

export interface BuildOptions {
  readonly context: string
  /** `HOST/PATH`; '': none. */
  readonly registry: string
  readonly signal: AbortSignal
  readonly onStep: (text: string) => void
}

const BUILDERS = ['docker', 'podman', 'nerdctl']
const ANSWER_MS = 10_000
/** Number of lines to show of a failed builder's output. */
const SHOWN_LINES = 30

/** Returns the apps without an image that have a Dockerfile. Of several entries of an app only the first counts, which is deployed. */
export const unbuiltIn = (apps: readonly AppPlan[]): readonly UnbuiltImage[] =>
  apps
    .filter(({id}, index) => apps.findIndex(other => other.id === id) === index)
    .filter(app => imageNameOf(app) === '' && buildFileOf(app.folder) !== '')

/** Returns placeholders for images that are not built yet, with which everything else can be checked first. */
export const placeholders = (apps: readonly UnbuiltImage[]): ReadonlyMap<string, Image> =>
  new Map(apps.map(({id}) => [id, {image: `${id}:unbuilt`, pullPolicy: 'IfNotPresent'}]))

/** Builds the images, and delivers them to the cluster or the registry. Rejects with a `UserError` with the builder's output. */
export async function buildImages(
  apps: readonly UnbuiltImage[],
  options: BuildOptions
): Promise<ReadonlyMap<string, Image>> {
  if (apps.length === 0) return new Map()
  const builder = await findBuilder(options)
  const delivery = deliveryTo(options.context, builder, options.registry)
  const images = new Map<string, Image>()
  const built = new Map<string, string>() // by folder: apps of one folder have one image
  for (const app of apps) {
    const digits = built.get(app.folder) ?? (await build(builder, app, options))
    built.set(app.folder, digits)
    const image = `${options.registry === '' ? 'pillion' : options.registry}/${app.id}:${digits}`
    await must([builder, 'tag', digits, image], `cannot name the image of "${app.id}"`, options)
    if (delivery.command !== undefined) {
      options.onStep(`${delivery.text} ${image}`)
      await must(delivery.command(image), `${image} does not get to the cluster`, options, delivery.env)
    }
    images.set(app.id, {image, pullPolicy: 'IfNotPresent'})
  }
  return images
}

/** Finds the first builder that answers: an installed docker without a running daemon does not. */
async function findBuilder({signal}: BuildOptions): Promise<string> {
  const faults: string[] = []
  for (const name of BUILDERS) {
    const {failed, code, all} = await runTool([name, 'info'], {timeout: ANSWER_MS, cancelSignal: signal})
    signal.throwIfAborted()
    if (!failed) return name
    faults.push(`  ${name}: ${code === 'ENOENT' ? 'not installed' : lastLines(all, 1) || 'does not answer'}`)
  }
  throw new UserError('no program to build images was found', {
    explanation: `${faults.join('\n')}\nStart one of them, or write containerImage for each app.`
  })
}

/** Builds the image of an app. Returns the first digits of the image's id. */
async function build(builder: string, {id, folder}: UnbuiltImage, options: BuildOptions): Promise<string> {
  const file = buildFileOf(folder)
  options.onStep(`Building the image of app "${id}" from ${join(folder, file)} with ${builder}`)
  const place = mkdtempSync(join(tmpdir(), 'pillion-image-'))
  try {
    const idFile = join(place, 'id')
    const command = [builder, 'build', '--iidfile', idFile, '-f', join(folder, file), folder]
    await must(command, `the image of "${id}" cannot be built`, options)
    const [, digits] = /^\s*(?:sha256:)?([0-9a-f]{12})/.exec(readFileSync(idFile, 'utf8')) ?? []
    if (digits === undefined) throw new UserError(`${builder} did not say which image it built of "${id}"`)
    return digits
  } finally {
    rmSync(place, {recursive: true, force: true})
  }
}

async function must(
  command: readonly string[],
  what: string,
  {signal}: BuildOptions,
  env: Readonly<Record<string, string>> = {}
): Promise<void> {
  const {failed, code, all} = await runTool(command, {cancelSignal: signal, env})
  signal.throwIfAborted()
  if (!failed) return
  const shown = code === 'ENOENT' ? `${command[0] ?? ''} is not installed` : lastLines(all, SHOWN_LINES)
  throw new UserError(what, {explanation: `${shown}\nNothing was deployed.`})
}

/** Runs a program of the user's PATH to its end. `all`: its output on both streams. */
async function runTool(
  [file = '', ...args]: readonly string[],
  options: Pick<Options, 'timeout' | 'cancelSignal' | 'env'>
): Promise<Pick<Result<{all: true; reject: boolean}>, 'failed' | 'code' | 'all'>> {
  const {execa} = await import('execa')
  return execa(file, args, {...options, all: true, reject: false})
}

/** Returns the last lines of an output, where errors are. */
const lastLines = (text: string, count: number): string =>
  (text.match(/[^\n]*\S[^\n]*/g) ?? []).slice(-count).join('\n')
