import {basename, join} from 'node:path'
import {commandsOfDockerfile, portOfDockerfile, runsInFolder, variablesOfDockerfile} from '../../reading/dockerfile.ts'
import type {ImportedApp} from '../../imported.ts'
import {has, readText} from '../../reading/files.ts'
import type {ProgramVariables} from '../../reading/variables.ts'
import {commandStart} from '../command-start.ts'
import {given} from '../../reading/yaml-file.ts'
import type {ProjectReader, ProjectStart} from './reader.ts'

/** The app of a project, called at the number of its files, or of its Dockerfile where they have none. */
export function projectApp(project: string, start: ProjectStart, env: ProgramVariables = {}, port = 0): ImportedApp {
  const {command, id = basename(project), folder = project, env: own = {}, found, notes = []} = start
  const other = port || portOfDockerfile(join(project, 'Dockerfile'))
  const {command: words, listens} = commandStart(command, folder, {...own, ...env}, {other, found, isServer: true})
  const keys = given({command: words, env: Object.keys(own).length === 0 ? undefined : own})
  return {id, folder, keys, listens, notes}
}

const PROJECT_FILES = 'package.json requirements.txt pyproject.toml Pipfile setup.py Gemfile'.split(' ')

/** The program that the Dockerfile of a project starts, if it runs outside of its image. */
export const image: ProjectReader = {
  startsIn(folder) {
    const {commands} = commandsOfDockerfile(has(folder, 'Dockerfile') ? join(folder, 'Dockerfile') : '')
    const command = commands.find(each => each.length > 0 && runsInFolder(each, folder))
    const isSource = command?.some(word => /\.(?:[cm]?[jt]s|py|rb)$/.test(word) && readText(folder, word) !== '')
    if (command === undefined || (isSource !== true && !has(folder, ...PROJECT_FILES))) return []
    return [{command, env: variablesOfDockerfile(join(folder, 'Dockerfile')).env}]
  },
  reasonOf: () => ''
}
