// Packages of a workspace that an app of Node imports: a save there restarts the app, too.
import {join} from 'node:path'
import {selfReloader} from '../../../files/config/implied-watch.ts'
import {pathTo, type ImportedApp} from '../imported.ts'
import {has} from '../reading/files.ts'
import {mapOf, textsOf, textValue} from '../reading/yaml-file.ts'
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
