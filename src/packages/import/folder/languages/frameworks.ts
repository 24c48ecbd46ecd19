import {has, readText} from '../../reading/files.ts'
import {addressIn} from './go.ts'
import {movedByVariable, movesByItself, projectApp, type ProjectReader} from './project.ts'

/** Programs of Ruby: Rails, Sinatra, and what `rackup` starts. */
export const ruby: ProjectReader = {
  appsIn(folder) {
    if (has(folder, 'bin/rails') && has(folder, 'config/application.rb', 'config.ru'))
      return [projectApp(folder, {command: ['bin/rails', 'server'], port: 3000, move: movesByItself})]
    const file = ['app.rb', 'server.rb', 'main.rb'].find(name => /sinatra/i.test(readText(folder, name)))
    const rackup = ['bundle', 'exec', 'rackup']
    if (has(folder, 'config.ru'))
      return [projectApp(folder, {command: rackup, port: 9292, move: at => ({command: [...rackup, '-p', `${at}`]})})]
    if (file === undefined) return []
    const port = Number(/set :port,\D*(\d{4,5})/.exec(readText(folder, file))?.[1] ?? 4567)
    return [projectApp(folder, {command: ['bundle', 'exec', 'ruby', file], port, move: movesByItself})]
  },
  reasonOf: folder => (has(folder, 'Gemfile') ? 'it has neither bin/rails, config.ru nor an app of Sinatra' : '')
}

/** Programs of PHP: Laravel, and a front controller in `public`. */
export const php: ProjectReader = {
  appsIn(folder) {
    if (has(folder, 'artisan')) {
      const command = ['php', 'artisan', 'serve']
      return [projectApp(folder, {command, port: 8000, move: port => ({command: [...command, `--port=${port}`]})})]
    }
    if (!has(folder, 'composer.json') || !has(folder, 'public/index.php')) return []
    return [projectApp(folder, {command: serving(8000), port: 8000, move: port => ({command: serving(port)})})]
  },
  reasonOf: folder => (has(folder, 'composer.json') ? 'it has neither artisan nor public/index.php' : '')
}

const serving = (port: number): readonly string[] => ['php', '-S', `localhost:${port}`, '-t', 'public']

/** Programs of Elixir: Phoenix, and applications of Mix. */
export const elixir: ProjectReader = {
  appsIn(folder) {
    const text = readText(folder, 'mix.exs')
    if (/:phoenix\b/.test(text))
      return [projectApp(folder, {command: ['mix', 'phx.server'], port: phoenixPort(folder), move: movesOf(folder)})]
    return /\bmod:\s*\{/.test(text) ? [projectApp(folder, {command: ['mix', 'run', '--no-halt'], port: 0})] : []
  },
  reasonOf: folder => (has(folder, 'mix.exs') ? 'its mix.exs starts no application' : '')
}

const configOf = (folder: string): string =>
  ['dev.exs', 'runtime.exs', 'config.exs'].map(name => readText(folder, `config/${name}`)).join('\n')

const phoenixPort = (folder: string): number => Number(/\bport:\D{0,60}?(\d{4,5})/.exec(configOf(folder))?.[1] ?? 4000)

const movesOf = (folder: string): typeof movesByItself | undefined =>
  /env\(\s*"PORT"/.test(readText(folder, 'config/dev.exs')) ? movesByItself : undefined

/** Programs of Rust. */
export const rust: ProjectReader = {
  appsIn(folder) {
    if (!has(folder, 'Cargo.toml') || !has(folder, 'src/main.rs')) return []
    const [text, manifest] = [readText(folder, 'src/main.rs'), readText(folder, 'Cargo.toml')]
    const isOne = !has(folder, 'src/bin') || /^default-run\b/m.test(manifest) // cargo does not choose one of several
    const [, name = ''] = (isOne ? null : /^\[package\][^[]*?^name\s*=\s*["']([^"']+)/m.exec(manifest)) ?? []
    const command = ['cargo', 'run', ...(name === '' ? [] : ['--bin', name])]
    return [projectApp(folder, {command, port: addressIn(text), move: movedByVariable(text)})]
  },
  reasonOf: folder => (has(folder, 'Cargo.toml') ? 'it has no src/main.rs' : '')
}
