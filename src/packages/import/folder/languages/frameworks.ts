import {has, readText} from '../../reading/files.ts'
import {addressedIn} from './go.ts'
import {byDefault, listeningIn, variableIn, type ListensAt} from '../../reading/listening.ts'
import {projectApp, type ProjectReader} from './project.ts'

/** Programs of Ruby: Rails, Sinatra, and programs of `rackup`. */
export const ruby: ProjectReader = {
  appsIn(folder, env) {
    if (has(folder, 'bin/rails') && has(folder, 'config/application.rb', 'config.ru'))
      return [projectApp(folder, {command: ['bin/rails', 'server'], ...byDefault('Rails', 3000, 'PORT')})]
    const command = ['bundle', 'exec', 'rackup']
    if (has(folder, 'config.ru'))
      return [projectApp(folder, {command, ...byDefault('rackup', 9292, {words: at => [...command, '-p', at]})})]
    const file = ['app.rb', 'server.rb', 'main.rb'].find(name => /sinatra/i.test(readText(folder, name)))
    if (file === undefined) return []
    const {port: found, takes = 'PORT'} = listeningIn(readText(folder, file), folder, env)
    const port = found || Number(/set :port,\D*(\d{4,5})/.exec(readText(folder, file))?.[1] ?? 0)
    const known = port > 0 ? {port, takes} : byDefault('Sinatra', 4567, takes)
    return [projectApp(folder, {command: ['bundle', 'exec', 'ruby', file], ...known})]
  },
  reasonOf: folder => (has(folder, 'Gemfile') ? 'it has neither bin/rails, config.ru nor an app of Sinatra' : '')
}

/** Programs of PHP: Laravel, and a front controller in `public`. */
export const php: ProjectReader = {
  appsIn(folder) {
    const command = ['php', 'artisan', 'serve']
    if (has(folder, 'artisan'))
      return [projectApp(folder, {command, ...byDefault('Laravel', 8000, {words: at => [...command, `--port=${at}`]})})]
    if (!has(folder, 'composer.json') || !has(folder, 'public/index.php')) return []
    return [
      projectApp(folder, {command: serving('8000'), port: 8000, guess: 'free to choose', takes: {words: serving}})
    ]
  },
  reasonOf: folder => (has(folder, 'composer.json') ? 'it has neither artisan nor public/index.php' : '')
}

const serving = (port: string): readonly string[] => ['php', '-S', `localhost:${port}`, '-t', 'public']

/** Programs of Elixir: Phoenix, and applications of Mix. */
export const elixir: ProjectReader = {
  appsIn(folder) {
    const text = readText(folder, 'mix.exs')
    if (/:phoenix\b/.test(text))
      return [projectApp(folder, {command: ['mix', 'phx.server'], ...phoenixListening(folder)})]
    return /\bmod:\s*\{/.test(text) ? [projectApp(folder, {command: ['mix', 'run', '--no-halt'], port: 0})] : []
  },
  reasonOf: folder => (has(folder, 'mix.exs') ? 'its mix.exs starts no application' : '')
}

/** Finds the port of Phoenix in its environment for development. */
export function phoenixListening(folder: string): ListensAt {
  const takes = variableIn(readText(folder, 'config/dev.exs')) === 'PORT' ? ('PORT' as const) : undefined
  const config = ['dev.exs', 'runtime.exs', 'config.exs'].map(name => readText(folder, `config/${name}`)).join('\n')
  const port = Number(/\bport:\D{0,60}?(\d{4,5})/.exec(config)?.[1] ?? 0)
  return port > 0 ? {port, takes} : byDefault('Phoenix', 4000, takes)
}

/** Programs of Rust. */
export const rust: ProjectReader = {
  appsIn(folder, env) {
    if (!has(folder, 'Cargo.toml') || !has(folder, 'src/main.rs')) return []
    const [text, manifest] = [readText(folder, 'src/main.rs'), readText(folder, 'Cargo.toml')]
    const isOne = !has(folder, 'src/bin') || /^default-run\b/m.test(manifest) // cargo does not choose one of several
    const [, name = ''] = (isOne ? null : /^\[package\][^[]*?^name\s*=\s*["']([^"']+)/m.exec(manifest)) ?? []
    const command = ['cargo', 'run', ...(name === '' ? [] : ['--bin', name])]
    return [projectApp(folder, {command, ...addressedIn(text, folder, env)})]
  },
  reasonOf: folder => (has(folder, 'Cargo.toml') ? 'it has no src/main.rs' : '')
}
