import {join} from 'node:path'
import {commandsOfDockerfile, runsInFolder} from '../../reading/dockerfile.ts'
import {commandPort} from '../../reading/shell-words.ts'
import {has, readText} from '../../reading/files.ts'
import {portIn, projectApp, type ProjectReader} from './project.ts'

const PROJECT_FILES = 'package.json requirements.txt pyproject.toml Pipfile setup.py Gemfile'.split(' ')

/** The program that the Dockerfile of a project starts, if it runs outside of its image. */
export const image: ProjectReader = {
  appsIn(folder) {
    const isProject = has(folder, ...PROJECT_FILES)
    const {commands} = commandsOfDockerfile(isProject ? join(folder, 'Dockerfile') : '')
    const command = commands.find(each => each.length > 0 && runsInFolder(each, folder))
    if (command === undefined) return []
    const texts = command.map(word => (/\.(?:[cm]?[jt]s|py|rb)$/.test(word) ? readText(folder, word) : ''))
    return [projectApp(folder, {command, port: commandPort(command.join(' ')) || portIn(texts.join('\n'))})]
  },
  reasonOf: () => ''
}
