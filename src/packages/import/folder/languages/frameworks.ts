import {has, readText} from '../../reading/files.ts'
import {addressedIn} from './go.ts'
import {listeningIn, variableIn, type ListensAt} from '../../reading/listening.ts'
import {projectApp, type ProjectReader} from './project.ts'

/** Programs of Ruby: Rails, Sinatra, and programs of `rackup`. */
export const ruby: ProjectReader = {
  appsIn(folder, env) {
    if (has(folder, 'bin/rails') && has(folder, 'config/application.rb', 'config.ru'))
      return [
        projectApp(folder, {command: ['bin/rails', 'server'], port: 3000, guess: 'the default of Rails', takes: 'PORT'})
      ]
    const file = ['app.rb', 'server.rb', 'main.rb'].find(name => /sinatra/i.test(readText(folder, name)))
    const rackup = ['bundle', 'exec', 'rackup']
    if (has(folder, 'config.ru'))
      return [
        projectApp(folder, {
          command: rackup,
          port: 9292,
          guess: 'the default of rackup',
          takes: {words: at => [...rackup, '-p', at]}
        })
      ]
    if (file === undefined) return []
    const found = listeningIn(readText(folder, file), folder, env)
    const port = found.port || Number(/set :port,\D*(\d{4,5})/.exec(readText(folder, file))?.[1] ?? 0)
    const known = port > 0 ? {port} : {port: 4567, guess: 'the default of Sinatra'}
    return [projectApp(folder, {command: ['bundle', 'exec', 'ruby', file], takes: found.takes ?? 'PORT', ...known})]
  },
  reasonOf: folder => (has(folder, 'Gemfile') ? 'it has neither bin/rails, config.ru nor an app of Sinatra' : '')
}

/** Programs of PHP: Laravel, and a front controller in `public`. */
export const php: ProjectReader = {
  appsIn(folder) {
    if (has(folder, 'artisan')) {
      const command = ['php', 'artisan', 'serve']
      return [
        projectApp(folder, {
          command,
          port: 8000,
          guess: 'the default of Laravel',
          takes: {words: at => [...command, `--port=${at}`]}
        })
      ]
    }
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

const configOf = (folder: string): string =>
  ['dev.exs', 'runtime.exs', 'config.exs'].map(name => readText(folder, `config/${name}`)).join('\n')

/** Finds the port of Phoenix in its environment for development. */
export function phoenixListening(folder: string): ListensAt {
  const takes = variableIn(readText(folder, 'config/dev.exs')) === 'PORT' ? ('PORT' as const) : undefined
  const port = Number(/\bport:\D{0,60}?(\d{4,5})/.exec(configOf(folder))?.[1] ?? 0)
  return port > 0 ? {port, takes} : {port: 4000, guess: 'the default of Phoenix', takes}
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
