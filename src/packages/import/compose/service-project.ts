import {basename, dirname, join} from 'node:path'
import {programsIn} from '../../../files/config/programs.ts'
import {buildOf, startWords, type Build, type Env, type Service, type Stack} from './service.ts'
import {appsIn} from '../folder/folder.ts'
import {imageName} from '../kubernetes/workloads.ts'
import type {ImportedApp} from '../imported.ts'
import {startsParts} from '../folder/languages/node.ts'
import {foldersIn} from '../reading/files.ts'
import {textValue} from '../reading/yaml-file.ts'

/** Folders in which several projects of one context are. */
const GROUPS = ['.', 'services', 'apps', 'packages', 'cmd', 'src']

/** Facts about the program of an image. */
interface Started {
  /** The folder in which it starts. */
  readonly folder: string
  readonly env: Env
  /** Commands that may start it, best first. */
  readonly candidates: readonly (readonly string[])[]
}

/** The project that an image is built of, where it starts, or, in a shared context, with its Dockerfile or name; undefined: none known. */
export function projectOf(
  service: Service,
  build: Build,
  {folder: start, env, candidates}: Started,
  stack: Stack
): ImportedApp | undefined {
  // one Dockerfile may build all projects, each by an argument that names it
  const ofArguments = build.flags.flatMap(flag => /^--build-arg=\w+=\W{0,2}(\w[\w./@-]*)$/.exec(flag)?.[1] ?? [])
  const known = [...ofArguments.filter(each => each.includes('/')), ...namesOf(service), ...ofArguments]
  const own = appsIn(start, env)
  const built = programsIn(candidates[0] ?? [], '').map(({name}) => name)
  const named = [...built, ...known].flatMap(name => own.filter(({id}) => id === name))[0]
  const others = [...stack.services.values()].filter(each => buildOf(each, stack)?.folder === build.folder)
  const isShared = others.some(each => buildOf(each, stack)?.dockerfile !== build.dockerfile)
  const unlike = others.filter(each => buildOf(each, stack)?.flags.join() !== build.flags.join())
  const areSeveral = unlike.some(each => startWords(each).length === 0)
  const isOne = own.length > 0 && !isShared && !startsParts(start)
  if (named !== undefined || (isOne && !areSeveral)) return named ?? own[0]
  const names = isOne ? ofArguments : known
  const folders = [
    dirname(join(build.folder, build.dockerfile)),
    ...GROUPS.flatMap(group => names.map(name => join(build.folder, group, name)))
  ].filter(each => each !== start && each.startsWith(`${build.folder}/`))
  const below = own.length === 0 && !isShared ? foldersIn(start).flatMap(each => appsIn(each, env).slice(0, 1)) : []
  const texts = [...stack.services.values()].flatMap(each => [...namesOf(each), ...(buildOf(each, stack)?.flags ?? [])])
  const isOfOther = texts.some(text => basename(text.replace(/.*=/, '')) === basename(below[0]?.folder ?? ''))
  const alone = below.length === 1 && !(areSeveral && isOfOther) ? below[0] : undefined
  return folders.flatMap(each => appsIn(each, env).slice(0, 1))[0] ?? alone ?? (isShared ? undefined : own[0])
}

/** The possible names of a service's project: `cart`, of a service `cart-service` with an image `shop/cart`. */
function namesOf({id, values}: Service): readonly string[] {
  return [id, basename(imageName(textValue(values['image'])))]
    .flatMap(each => [each, each.replace(KIND, ''), each.replace(/[-_]?(?:svc|srv)$/, '-service')])
    .filter(Boolean)
}
const KIND = /[-_]?(?:service|svc|srv|app|server)$/
