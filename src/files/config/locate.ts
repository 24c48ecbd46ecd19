import {existsSync, statSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {namesInFolder} from '../../platform/paths.ts'
import type {Environment} from '../../model/environment.ts'
import {misspelt} from './unknown-keys.ts'
import {nearMiss} from '../../model/near-miss.ts'
import type {ResourcesPlan} from '../../model/plan.ts'
import {fileFault} from '../../model/read-file.ts'
import type {Section, Template} from './decode.ts'
import {fileAt, templateError, type Mistake, type Source} from './diagnose.ts'
import type {Spot} from '../yaml/place.ts'
import type {AppValues} from './keys.ts'
import type {ForEach} from './merge.ts'
import {absolutePath, daprFolder, statFault} from './paths.ts'

/** Inputs of paths in a template besides the template. */
export interface Surroundings {
  readonly home: string
  readonly env: Environment
}

/** An app with its folder and the folders of its Dapr resources. */
export interface Location {
  readonly app: Section<AppValues>
  readonly folder: string
  readonly resources: ResourcesPlan
}

/** The base of relative paths, and the text to point into if a path does not exist. */
export interface Search extends Surroundings {
  readonly folder: string
  readonly source: Source
}

/** The absolute paths of one section; '' or empty if not set. */
interface Paths {
  readonly configFile: string
  readonly runtime: string
  readonly resources: readonly string[]
}

const NO_PATHS: Paths = {configFile: '', runtime: '', resources: []}

/**
 * Resolves the paths of all apps, in the template's order (`validateRunConfig` and `resolveResourcesAndConfigFilePaths` in
 * Dapr's CLI). Every path that is written must exist. `search.folder` is the template's folder.
 */
export function locateApps(template: Template, search: Search, each: ForEach): readonly Location[] {
  const inFile = (spot: Spot): string => fileAt(search.source, spot.start)?.folder ?? search.folder
  const common = pathsOf(template, template.common, {...search, folderOf: inFile})
  return each(template.apps, app => {
    const folder = appFolder(app, search)
    const own = pathsOf(template, app, {...search, folderOf: () => folder})
    return {app, folder, resources: resourcesOf(folder, own, {common, ...search})}
  })
}

/** Returns the resources of an app without settings. `runtime`: the parent of Dapr's folder, if it is given. */
export const defaultResources = (folder: string, surroundings: Surroundings, runtime = ''): ResourcesPlan =>
  resourcesOf(folder, {...NO_PATHS, runtime}, {common: NO_PATHS, ...surroundings})

function appFolder(app: Section<AppValues>, {folder, home, source}: Search): string {
  const spot = app.pairs.get('appDirPath')?.value ?? app.spot
  const expected = 'expected appDirPath: the folder of this app'
  if (!app.values.appDirPath) {
    const message = "required field 'appDirPath' not found in the provided app config file"
    const wrong = misspelt(app, 'appDirPath')
    const hint = wrong === undefined ? '' : `write appDirPath in place of ${wrong.name}`
    throw templateError(source, {code: 'missing-key', message, spot: wrong?.key ?? spot, expected, hint})
  }
  const path = absolutePath(app.values.appDirPath, fileAt(source, spot.start)?.folder ?? folder, home)
  mustExist(path, spot, source)
  mustBeFolder('appDirPath', path, {spot, expected}, source)
  return path
}

/** Returns the paths of a section, each relative to the folder of its place. */
function pathsOf(
  {within}: Template,
  {values, pairs, spot}: Section<AppValues>,
  search: Search & {readonly folderOf: (spot: Spot) => string}
): Paths {
  const check = (key: keyof AppValues, path: string, ...inside: readonly string[]): string => {
    const pair = pairs.get(key)
    const absolute = absolutePath(path, search.folderOf(pair?.value ?? spot), search.home)
    const at = pair === undefined ? spot : within(pair, inside).value
    if (absolute !== '') mustExist(absolute, at, search.source)
    if (absolute !== '' && key.startsWith('resources'))
      mustBeFolder(key, absolute, {spot: at, expected: 'expected the folder of the resources'}, search.source)
    return absolute
  }
  const configFile = check('configFilePath', values.configFilePath ?? '')
  const fault = configFile === '' ? '' : fileFault(configFile)
  if (fault !== '') {
    const message = `error in reading the configFilePath: open ${configFile}: ${fault}`
    const at = pairs.get('configFilePath')?.value ?? spot
    throw templateError(search.source, {code: 'path-not-found', message, spot: at})
  }
  const last = check('resourcesPath', values.resourcesPath ?? '')
  const runtime = check('runtimePath', values.runtimePath ?? '')
  const resources = (values.resourcesPaths ?? []).map((path, index) => check('resourcesPaths', path, String(index)))
  return {configFile, runtime, resources: last === '' ? resources : [...resources, last]}
}

function mustExist(path: string, spot: Spot, source: Source): void {
  const fault = statFault(path)
  if (fault === '') return
  const near = nearMiss(basename(path), namesInFolder(dirname(path)))
  const hint = near === '' ? 'correct the path, or create it' : `did you mean ${near}?`
  const message = `error in getting the file info for ${path}: ${fault}`
  throw templateError(source, {code: 'path-not-found', message, spot, hint, missing: path})
}

function mustBeFolder(key: string, path: string, at: Pick<Mistake, 'spot' | 'expected'>, source: Source): void {
  if (statSync(path).isDirectory()) return
  throw templateError(source, {code: 'path-not-found', message: `${key} is not a directory: ${path}`, ...at})
}

/** Returns the first of these that exists: the app's own paths, its `.dapr` folder, the paths of `common`, Dapr's defaults. */
function resourcesOf(
  folder: string,
  own: Paths,
  {common, ...surroundings}: Surroundings & {common: Paths}
): ResourcesPlan {
  const runtime = daprFolder(own.runtime || common.runtime, surroundings)
  const local = join(folder, '.dapr', 'resources')
  const usual = [join(runtime, 'components')]
  const shared = common.resources.length > 0 ? common.resources : usual
  const folders = own.resources.length > 0 ? own.resources : existsSync(local) ? [local] : shared
  return {folders, configFile: own.configFile || configFileIn(folder, common, runtime), defaultFolder: runtime}
}

function configFileIn(folder: string, common: Paths, runtime: string): string {
  const local = join(folder, '.dapr', 'config.yaml')
  if (existsSync(local)) return local
  const usual = join(runtime, 'config.yaml')
  return common.configFile || (existsSync(usual) ? usual : '')
}
