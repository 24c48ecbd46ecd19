import {basename, join} from 'node:path'
import {commandsOfDockerfile, portOfDockerfile, runsInFolder, variablesOfDockerfile} from '../../reading/dockerfile.ts'
import type {ImportedApp} from '../../imported.ts'
import {has, readText} from '../../reading/files.ts'
import {calledAt, listeningKeys, portIn, type ListensAt} from '../../reading/listening.ts'
import {commandPort} from '../../reading/shell-words.ts'

/** How the projects of one language are found in a folder, and started. */
export interface ProjectReader {
  /** The programs that the project files of a folder make. `env`: variables that they get. */
  readonly appsIn: (folder: string, env?: ProgramVariables) => readonly ImportedApp[]
  /** Why a folder with such files makes no program; '': it has none of them. */
  readonly reasonOf: (folder: string) => string
}

/** Variables of a program by their names. */
export type ProgramVariables = Readonly<Record<string, string | undefined>>

/** How a project starts, and where it listens. */
export interface ProjectStart extends ListensAt {
  readonly command: readonly string[]
  readonly notes?: readonly string[]
}

/** The app of a project, called at the number of its files, or of its Dockerfile where they have none. */
export function projectApp(folder: string, {command, notes = [], ...known}: ProjectStart): ImportedApp {
  const exposed = portOfDockerfile(join(folder, 'Dockerfile'))
  const app = listeningKeys(command, folder, known.port > 0 ? known : {...known, port: exposed})
  const isGuess = known.guess !== undefined && exposed > 0 && app.move !== undefined
  const called = isGuess ? calledAt({...app, id: '', folder}, exposed) : app
  return {...called, id: basename(folder), folder, notes: [...notes, ...called.notes]}
}

const PROJECT_FILES = 'package.json requirements.txt pyproject.toml Pipfile setup.py Gemfile'.split(' ')

/** The program that the Dockerfile of a project starts, if it runs outside of its image. */
export const image: ProjectReader = {
  appsIn(folder) {
    const {commands} = commandsOfDockerfile(has(folder, 'Dockerfile') ? join(folder, 'Dockerfile') : '')
    const command = commands.find(each => each.length > 0 && runsInFolder(each, folder))
    const texts = (command ?? []).map(word => (/\.(?:[cm]?[jt]s|py|rb)$/.test(word) ? readText(folder, word) : ''))
    if (command === undefined || (texts.join('') === '' && !has(folder, ...PROJECT_FILES))) return []
    const {
      env: {PORT = '', ...env}
    } = variablesOfDockerfile(join(folder, 'Dockerfile'))
    const port = Number(env['FLASK_RUN_PORT'] ?? PORT) || commandPort(command.join(' ')) || portIn(texts.join('\n'))
    const app = projectApp(folder, {command, port})
    return [Object.keys(env).length === 0 ? app : {...app, keys: {...app.keys, env}}]
  },
  reasonOf: () => ''
}
