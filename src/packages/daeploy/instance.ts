/** An instance of a service in the management API. */
export interface ServiceInstance {
  readonly name: string
  readonly version: string
  readonly isMain: boolean
  /** State of the instance, in Docker's words. */
  readonly status: 'created' | 'running' | 'restarting' | 'exited'
  readonly startedAt: Date | undefined
  readonly finishedAt: Date | undefined
}

const NOT_MAIN_ALONE =
  // spelled as in Daeploy, since scripts depend on the text
  'Not allowed to kill main service while there are mutliple deployed versions of that service'

/** Returns why a version cannot become the main one; '': it can. */
export function whyNotAssigned(instances: readonly ServiceInstance[], name: string, version: string): string {
  const versions = instances.filter(instance => instance.name === name)
  if (versions.length === 0) return `No main service matching ${name}`
  return versions.some(instance => instance.version === version) ? '' : `No service matching ${name} ${version}`
}

/** Returns why a version cannot be removed; '': it can. The main version can only be removed last. */
export function whyNotRemoved(instances: readonly ServiceInstance[], name: string, version: string): string {
  const versions = instances.filter(instance => instance.name === name)
  const instance = versions.find(each => each.version === version)
  if (instance === undefined) return unknownText(name, version)
  return instance.isMain && versions.length > 1 ? NOT_MAIN_ALONE : ''
}

export const unknownText = (name: string, version: string): string =>
  `Service with name: ${name} and version: ${version} does not exists!`
