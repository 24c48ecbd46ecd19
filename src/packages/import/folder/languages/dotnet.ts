import {entriesOf, jsonOf, readText} from '../../reading/files.ts'
import {mapOf, textValue} from '../../reading/yaml-file.ts'
import {byDefault, type ListensAt} from '../../reading/listening.ts'
import {projectApp, type ProjectReader, type ProgramVariables} from './project.ts'

/** Programs of .NET: web projects, workers and other executables; tests and libraries are none. */
export const dotnet: ProjectReader = {
  appsIn(folder, env = {}) {
    const project = projectFile(folder)
    if (project === undefined || !isProgram(readText(folder, project))) return []
    const url = launchUrl(folder)
    const isSecure = url.startsWith('https:')
    const notes =
      isSecure && !('ASPNETCORE_URLS' in env)
        ? [`launchSettings.json: ${url} is all it listens on: add an address of http to be called`]
        : []
    return [projectApp(folder, {command: ['dotnet', 'run'], ...dotnetListening(folder, env), notes})]
  },
  reasonOf: folder => (projectFile(folder) === undefined ? '' : 'its project makes no program')
}

/** Finds the port of `dotnet run`: by the profile that it uses, else by its variables. */
export function dotnetListening(folder: string, env: ProgramVariables): ListensAt {
  const urls = [launchUrl(folder), env['ASPNETCORE_URLS'] ?? '', env['ASPNETCORE_HTTP_PORTS'] ?? '']
  const port = urls.map(each => /(?:^|http:[^;]*:)(\d{2,5})(?=$|[;/])/.exec(each)?.[1]).find(Boolean) ?? 0
  const takes = {words: (at: string) => ['dotnet', 'run', '--urls', `http://localhost:${at}`]}
  const isWeb = readText(folder, projectFile(folder) ?? '').includes('Sdk.Web')
  // learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/endpoints
  const isDefault = Number(port) === 0 && isWeb && urls.every(url => url === '')
  return isDefault ? byDefault('.NET', 5000, takes) : {port: Number(port), takes}
}

const projectFile = (folder: string): string | undefined =>
  entriesOf(folder).find(name => /\.(?:cs|fs|vb)proj$/.test(name))

const isProgram = (text: string): boolean =>
  /Sdk\.(?:Web|Worker|BlazorWebAssembly)|<OutputType>\s*(?:Win)?Exe/.test(text) &&
  !/Microsoft\.NET\.Test\.Sdk|IsTestProject>true|Aspire\.AppHost|IsAspireHost/.test(text)

/** The address of the profile that `dotnet run` takes, the first one of a project: that of http, if it has one; '': none. */
function launchUrl(folder: string): string {
  const profiles = Object.values(mapOf(jsonOf(folder, 'Properties/launchSettings.json')['profiles'])).map(mapOf)
  const urls = textValue(profiles.find(({commandName}) => commandName === 'Project')?.['applicationUrl']).split(';')
  return urls.find(url => url.startsWith('http:')) ?? urls[0] ?? ''
}
