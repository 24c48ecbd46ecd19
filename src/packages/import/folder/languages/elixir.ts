import {has, readText} from '../../reading/files.ts'
import {movesByItself, projectApp, type ProjectReader} from './project.ts'

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
