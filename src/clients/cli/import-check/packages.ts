import {existsSync, readdirSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import {jsonIn} from '../../../model/is-json.ts'
import {orElse} from '../../../model/or-else.ts'
import type {AppPlan} from '../../../model/plan.ts'
import {readTextFile} from '../../../model/read-file.ts'
import {runCommand} from '../../../platform/run-command.ts'

interface Installation {
  readonly command: string
  readonly folder: string
}

/** The package managers of a language: the command that installs, by the first of these files, and the messages of a program without packages. */
interface Manager {
  readonly files: readonly (readonly [file: string, command: string])[]
  readonly missing: RegExp
}

const MANAGERS: readonly Manager[] = [
  {
    files: [
      ['pnpm-lock.yaml', 'pnpm i'],
      ['yarn.lock', 'yarn install'],
      ['bun.lock', 'bun install'],
      ['bun.lockb', 'bun install'],
      ['package-lock.json', 'npm ci'],
      ['npm-shrinkwrap.json', 'npm ci'],
      ['package.json', 'npm install']
    ],
    missing:
      /Cannot find (?:module|package) '(?![./])|node_modules (?:is )?missing|couldn't find the node_modules state|YN0028|: (?:command )?not found|is not recognized as/i
  },
  {
    files: [
      ['uv.lock', 'uv sync'],
      ['poetry.lock', 'poetry install'],
      ['Pipfile', 'pipenv install'],
      ['requirements.txt', 'pip install -r requirements.txt'],
      ['pyproject.toml', 'pip install -e .'],
      ['setup.py', 'pip install -e .']
    ],
    missing: /No module named '?([\w]+)|ImportError: cannot import|DistributionNotFound/
  },
  {
    files: [['go.mod', 'go mod download']],
    missing:
      /missing go\.sum entry|no required module provides package|cannot find module|go: downloading .*(?:timeout|refused|no such host)/
  },
  {
    files: [['Gemfile', 'bundle install']],
    missing:
      /Bundler::GemNotFound|Could not find .* in (?:any|locally)|Run `bundle install`|cannot load such file -- bundler/
  },
  {files: [['composer.json', 'composer install']], missing: /vendor\/autoload\.php/},
  {files: [['mix.exs', 'mix deps.get']], missing: /mix deps\.get/}
]

/**
 * Returns the installation of an app's packages, if its last lines report missing ones, or there are none. Returns undefined if
 * packages do not seem to be its obstacle.
 */
export function missingPackages(folder: string, lines: readonly string[]): Installation | undefined {
  for (const {files, missing} of MANAGERS) {
    const said = lines.map(line => missing.exec(line)).find(match => match !== null)
    const isSaid = said !== undefined && said !== null && !isOwnModule(folder, said[1] ?? '')
    const [first] = files
    const isNode = first?.[0] === 'pnpm-lock.yaml'
    if (!(isNode ? lacksModules(folder) || (isSaid && existsSync(join(folder, 'package.json'))) : isSaid)) continue
    const found = nearest(
      folder,
      files.map(([file]) => file)
    )
    const command = files.find(([file]) => found !== undefined && existsSync(join(found, file)))?.[1]
    if (found !== undefined && command !== undefined) return {command, folder: found}
  }
  return undefined
}

/** Returns the nearest folder within the repository that has one of these files. A lock file above wins over a `package.json`. */
function nearest(folder: string, files: readonly string[]): string | undefined {
  const above = foldersAbove(folder)
  const [last = ''] = files.slice(-1)
  const locks = files.filter(file => file !== last)
  const isWorkspace = (each: string): boolean =>
    each === folder || ['pnpm-workspace.yaml', 'package.json', 'uv.lock'].some(name => existsSync(join(each, name)))
  return (
    above.find(each => isWorkspace(each) && locks.some(file => existsSync(join(each, file)))) ??
    above.find(each => existsSync(join(each, last)))
  )
}

/** Returns the folder and those above it, up to that of the repository. */
function foldersAbove(folder: string): readonly string[] {
  const parent = dirname(folder)
  return existsSync(join(folder, '.git')) || parent === folder ? [folder] : [folder, ...foldersAbove(parent)]
}

const hasModules = (folder: string): boolean =>
  ['node_modules', '.pnp.cjs', '.pnp.js'].some(name => existsSync(join(folder, name)))

/** Whether a package of Node has dependencies, and there is no folder of packages at or above it. */
function lacksModules(folder: string): boolean {
  // undefined without a package.json, or for a broken one
  const read = jsonIn(orElse(() => readTextFile(join(folder, 'package.json')), '')) as Record<string, unknown> | null
  const needed = {...(read?.['dependencies'] as object), ...(read?.['devDependencies'] as object)}
  return Object.keys(needed).length > 0 && !foldersAbove(folder).some(hasModules)
}

/** Whether a module is the program's own: it is searched in the wrong folder, and no package is missing. */
function isOwnModule(folder: string, name: string): boolean {
  const has = (): boolean =>
    [folder, ...readdirSync(folder).map(each => join(folder, each))].some(
      each => existsSync(join(each, `${name}.py`)) || existsSync(join(each, name, '__init__.py'))
    )
  return name !== '' && orElse(has, false) // the folder cannot be read
}

/** Lets each of several Maven wrappers download its Maven, one after the other: at once they break each other's files. */
export async function downloadMaven(apps: readonly Pick<AppPlan, 'command' | 'folder'>[], ms: number): Promise<void> {
  const wrappers = apps.flatMap(({command, folder}) =>
    (/(?<![^\s"'])[^\s"']*\/mvnw(?=\s|$)/.exec(command.join(' ')) ?? []).map(way => resolve(folder, way))
  )
  for (const path of wrappers.length < 2 ? [] : new Set(wrappers))
    await runCommand({command: ['sh', path, '--version'], folder: dirname(path), env: process.env, timeoutMs: ms})
}
