// Packages of a workspace that an app of Node imports: a save there restarts the app, and their env files count, too.
import {existsSync} from 'node:fs'
import {join, relative, resolve} from 'node:path'
import {selfReloader} from '../../../files/config/implied-watch.ts'
import {pathTo, type ImportedApp} from '../imported.ts'
import {has} from '../reading/files.ts'
import {samplesIn} from '../reading/variables.ts'
import {listedValues, mapOf, pathOfEntry, textsOf, textValue} from '../reading/yaml-file.ts'
import {readPackage} from './languages/node.ts'
import {packagesOf} from './project-folders.ts'

/** Apps that do not reload themselves watch their own code and that of packages below these roots. */
export function withPackageWatch(apps: readonly ImportedApp[], roots: readonly string[]): readonly ImportedApp[] {
  const packages = new Map(roots.flatMap(packagesOf))
  return apps.map(app => {
    const {folder, keys} = app
    if (packages.size === 0 || 'watch' in keys || selfReloader(textsOf(keys['command']), folder) !== '') return app
    const [own, ...needed] = neededBy(folder, packages)
    if (own === undefined || needed.length === 0) return app
    const paths = [codeOf(own, false), ...needed.map(each => codeOf(each, true))].map(each => pathTo(each, folder))
    const ignore = paths[0] === './src/**' ? {} : {ignore: ['{dist,build,.next,.turbo,coverage}/**']}
    return {...app, keys: {...keys, watch: {paths, ...ignore}}}
  })
}

/** Notes on samples of env files at the sources, and in the folders of programs and of packages that these import. */
export function notesOnSamples(apps: readonly ImportedApp[], roots: readonly string[], cwd: string): readonly string[] {
  const packages = new Map(roots.flatMap(packagesOf))
  const folders = [...roots, ...apps.flatMap(app => (app.published ? [] : neededBy(app.folder, packages)))]
  // an app has its own note on a file that its source names
  const noted = apps
    .filter(({notes}) => notes.some(note => note.startsWith('env_file: ')))
    .flatMap(({folder, keys}) => listedValues(keys['envFile']).map(each => resolve(folder, pathOfEntry(each))))
  return [...new Set(folders)].flatMap(folder =>
    samplesIn(folder)
      .map(([sample, file]) => [sample, join(folder, file)] as const)
      .filter(([, path]) => /(?:\/|\.)env$/.test(path) && !existsSync(path) && !noted.includes(path))
      .map(([sample, path]) => `${relative(cwd, path)} is not there: copy ${sample}, and fill in its values`)
  )
}

/** A folder, and those of the packages that it needs, also by others. Packages of tools are in `devDependencies`. */
function neededBy(folder: string, packages: ReadonlyMap<string, string>): readonly string[] {
  const found = new Set([folder])
  for (const each of found) {
    for (const name of Object.keys(mapOf(readPackage(each)?.['dependencies']))) {
      const needed = packages.get(name)
      if (needed !== undefined) found.add(needed)
    }
  }
  return [...found]
}

/** The files of a package whose change counts for its importers: built ones, if its entry is one of these. */
function codeOf(folder: string, isImported: boolean): string {
  const {main, module, exports} = readPackage(folder) ?? {}
  const entry = [textValue(main), textValue(module), JSON.stringify(exports ?? '')].join(' ')
  const built = ['dist', 'build', 'lib', 'out'].find(
    name => isImported && new RegExp(`(?:^|[\\s"/])${name}/`).test(entry)
  )
  const code = built ?? (has(folder, 'src') ? 'src' : '')
  return join(folder, code, code === '' ? '**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs,json}' : '**')
}
