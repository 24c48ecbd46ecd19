// Go, Rust, .NET, Elixir, Ruby and PHP: how their projects start, and where these listen.
import type {ListensAt} from '../../imported.ts'
import {basename, join} from 'node:path'
import {entriesOf, foldersIn, has, jsonOf, readText} from '../../reading/files.ts'
import {byDefault, listeningIn} from '../../reading/listening.ts'
import type {ProgramVariables} from '../../reading/variables.ts'
import {mapOf, textValue} from '../../reading/yaml-file.ts'
import type {ProjectReader} from './reader.ts'

/** Programs of Go: a folder with `package main` in any file, or those in `cmd`. */
export const go: ProjectReader = {
  startsIn(folder) {
    if (mainText(folder) !== '') return [{command: ['go', 'run', '.']}]
    if (mainText(join(folder, 'cmd')) !== '') return [{command: ['go', 'run', './cmd']}]
    const parts = has(folder, 'go.mod', '../go.mod', '../../go.mod') ? foldersIn(join(folder, 'cmd')) : []
    const names = parts.filter(each => mainText(each) !== '').map(each => basename(each))
    return names.map(id => ({id, command: ['go', 'run', `./cmd/${id}`]}))
  },
  reasonOf: folder => (has(folder, 'go.mod') ? 'it has no package main, nor one in cmd' : '')
}

/** The text of all files of `package main` in a folder that are no tests; '': there are none. */
export function mainText(folder: string): string {
  const sources = entriesOf(folder).filter(name => name.endsWith('.go') && !name.endsWith('_test.go'))
  const texts = sources.map(name => readText(folder, name))
  return texts.filter(text => /^package main\b/m.test(text) && !/^\/\/go:build ignore/m.test(text)).join('\n')
}

/** Finds the port of a program in its text, as a number or an address. */
export function addressedIn(text: string, folder: string, env?: ProgramVariables): ListensAt {
  const found = listeningIn(text, folder, env)
  return {...found, port: found.port || addressIn(text)}
}

/** The number of the address at which a program's text listens, `":8080"`, before one that it may call; 0: none. */
const addressIn = (text: string): number =>
  /dial|client|kafka/i.test(text) &&
  !/listen|serve\b|\.(?:run|start)\w*\(|bind\(|[:=]\s*"0\.0\.0\.0:|flag\.\w+\([^()]*":\d/i.test(text)
    ? 0
    : Number((LISTENED.exec(text) ?? /"(?:[a-z][\w.]*|\d+(?:\.\d+){3}):(\d{2,5})"/i.exec(text))?.[1] ?? 0)
const LISTENED = /(?:"|[:=]\s*"0\.0\.0\.0|(?:listen|serve|run|start|bind)\w*\([^()"]*(?:"tcp",\s*)?"[\w.]*):(\d{2,5})"/i

/** Programs of Rust. */
export const rust: ProjectReader = {
  startsIn(folder) {
    if (!has(folder, 'Cargo.toml') || !has(folder, 'src/main.rs')) return []
    const manifest = readText(folder, 'Cargo.toml')
    const isOne = !has(folder, 'src/bin') || /^default-run\b/m.test(manifest) // cargo does not choose one of several
    const [, name = ''] = (isOne ? null : /^\[package\][^[]*?^name\s*=\s*["']([^"']+)/m.exec(manifest)) ?? []
    return [{command: ['cargo', 'run', ...(name === '' ? [] : ['--bin', name])]}]
  },
  reasonOf: folder => (has(folder, 'Cargo.toml') ? 'it has no src/main.rs' : '')
}

/** Programs of Elixir: Phoenix, and applications of Mix. */
export const elixir: ProjectReader = {
  startsIn(folder) {
    const text = readText(folder, 'mix.exs')
    if (/:phoenix\b/.test(text)) return [{command: ['mix', 'phx.server']}]
    return /\bmod:\s*\{/.test(text) ? [{command: ['mix', 'run', '--no-halt']}] : []
  },
  reasonOf: folder => (has(folder, 'mix.exs') ? 'its mix.exs starts no application' : '')
}

/** Programs of .NET: web projects, workers and other executables; tests and libraries are none. */
export const dotnet: ProjectReader = {
  startsIn: folder => (isProgram(projectText(folder)) ? [{command: ['dotnet', 'run']}] : []),
  reasonOf: folder => (projectText(folder) === '' ? '' : 'its project makes no program')
}

/** Finds the port of `dotnet run`: by the profile that it uses, else by its variables. Only a web project takes `--urls`. */
export function dotnetListening(folder: string, env: ProgramVariables): ListensAt {
  const urls = [launchUrl(folder), env['ASPNETCORE_URLS'] ?? '', env['ASPNETCORE_HTTP_PORTS'] ?? '']
  const port = Number(urls.map(each => /(?:^|http:[^;]*:)(\d{2,5})(?=$|[;/])/.exec(each)?.[1]).find(Boolean) ?? 0)
  if (!projectText(folder).includes('Sdk.Web')) return {port}
  const takes = {words: (at: string) => ['dotnet', 'run', '--urls', `http://localhost:${at}`]}
  // learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/endpoints
  return port === 0 && urls.every(url => url === '') ? byDefault('.NET', 5000, takes) : {port, takes}
}

const projectText = (folder: string): string => {
  const name = entriesOf(folder).find(each => /\.(?:cs|fs|vb)proj$/.test(each))
  return name === undefined ? '' : readText(folder, name) || ' '
}

const isProgram = (text: string): boolean =>
  /Sdk\.(?:Web|Worker|BlazorWebAssembly)|<OutputType>\s*(?:Win)?Exe/.test(text) &&
  !/Microsoft\.NET\.Test\.Sdk|IsTestProject>true|Aspire\.AppHost|IsAspireHost/.test(text)

/** The address of the profile that `dotnet run` takes, the first one of a project: that of http, if it has one; '': none. */
function launchUrl(folder: string): string {
  const profiles = Object.values(mapOf(jsonOf(folder, 'Properties/launchSettings.json')['profiles'])).map(mapOf)
  const urls = textValue(profiles.find(({commandName}) => commandName === 'Project')?.['applicationUrl']).split(';')
  return urls.find(url => url.startsWith('http:')) ?? urls[0] ?? ''
}

/** Programs of Ruby: Rails, Sinatra, and programs of `rackup`. */
export const ruby: ProjectReader = {
  startsIn(folder) {
    if (has(folder, 'bin/rails') && has(folder, 'config/application.rb', 'config.ru'))
      return [{command: ['bin/rails', 'server']}]
    if (has(folder, 'config.ru')) return [{command: ['bundle', 'exec', 'rackup']}]
    const file = ['app.rb', 'server.rb', 'main.rb'].find(name => /sinatra/i.test(readText(folder, name)))
    return file === undefined ? [] : [{command: ['bundle', 'exec', 'ruby', file]}]
  },
  reasonOf: folder => (has(folder, 'Gemfile') ? 'it has neither bin/rails, config.ru nor an app of Sinatra' : '')
}

/** Programs of PHP: Laravel, and a front controller in `public`. */
export const php: ProjectReader = {
  startsIn(folder) {
    if (has(folder, 'artisan')) return [{command: ['php', 'artisan', 'serve']}]
    if (!has(folder, 'composer.json') || !has(folder, 'public/index.php')) return []
    return [{command: serving('8000'), found: {port: 8000, guess: 'free to choose', takes: {words: serving}}}]
  },
  reasonOf: folder => (has(folder, 'composer.json') ? 'it has neither artisan nor public/index.php' : '')
}

const serving = (port: string): readonly string[] => ['php', '-S', `localhost:${port}`, '-t', 'public']
