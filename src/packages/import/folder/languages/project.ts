import {basename, join} from 'node:path'
import {commandsOfDockerfile, portOfDockerfile, runsInFolder, variablesOfDockerfile} from '../../reading/dockerfile.ts'
import type {ImportedApp} from '../../imported.ts'
import {has, readText, sourcesIn, textAt} from '../../reading/files.ts'
import {SERVES} from '../../reading/listening.ts'
import {readPackage} from './node.ts'
import type {ProgramVariables} from '../../reading/variables.ts'
import {commandStart} from '../command-start.ts'
import {given} from '../../reading/yaml-file.ts'
import type {ProjectReader, ProjectStart} from './reader.ts'

/** The app of a project, called at the number of its files, or of its Dockerfile where they have none. */
export function projectApp(project: string, start: ProjectStart, env: ProgramVariables = {}, port = 0): ImportedApp {
  const {command, id = basename(project), folder = project, env: own = {}, found, notes = [], isNamed = false} = start
  const other = port || portOfDockerfile(join(project, 'Dockerfile'))
  const {command: words, listens} = commandStart(command, folder, {...own, ...env}, {other, found})
  const texts = sourcesIn(project).map(textAt)
  const serves = listens.serves === true || texts.length === 0 || texts.some(text => SERVES.test(text))
  const isTool = !isNamed && (readPackage(project)?.['bin'] ?? texts.find(isOfTool)) !== undefined
  return {
    id,
    folder,
    keys: given({command: words, env: own, profiles: isTool && listens.port === 0 && !serves ? ['tools'] : []}),
    listens: {...listens, serves},
    notes
  }
}

/** Whether a text reads commands and flags by a library. */
const isOfTool = (text: string): boolean =>
  /["'/](?:commander|yargs|oclif|inquirer|nestjs-command|nest-commander|spf13\/cobra|urfave\/cli(?:\/v\d)?|alecthomas\/kong)["']|@oclif\/core|\bclap::|^(?:import|from) (?:click|typer)\b/m.test(
    text
  )

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
