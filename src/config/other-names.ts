/** What other tools (compose, process-compose, pm2, Kubernetes) call our keys, and what people expect; in lower case, without `_` and `-`. */
export const OTHER_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['appID', ['id', 'name', 'servicename', 'containername']],
  ['appDirPath', ['cwd', 'dir', 'directory', 'folder', 'path', 'workdir', 'workingdir', 'workingdirectory']],
  ['appPort', ['port', 'ports', 'expose', 'targetport', 'containerport', 'listenport']],
  ['appProtocol', ['protocol']],
  ['command', ['cmd', 'entrypoint', 'args', 'run', 'exec', 'script', 'start', 'program']],
  ['env', ['environment', 'envs', 'environmentvariables', 'variables', 'vars']],
  ['envFile', ['dotenv', 'envfrom']],
  ['ready', ['healthcheck', 'health', 'readiness', 'readinessprobe', 'startupprobe', 'livenessprobe', 'waitfor']],
  ['dependsOn', ['depends', 'needs', 'after', 'links', 'requires']],
  ['replicas', ['instances', 'scale', 'numprocs']],
  ['restart', ['restartpolicy', 'autorestart']],
  ['stop', ['stopsignal', 'stopgraceperiod', 'killsignal', 'shutdown']],
  ['configFilePath', ['config', 'configuration', 'configfile']],
  ['resourcesPath', ['resources', 'components', 'componentspaths']],
  ['daprHTTPPort', ['httpport', 'sidecarport']],
  ['daprGRPCPort', ['grpcport']],
  ['logs', ['logging']],
  ['profiles', ['profile']]
])

/** Keys of other tools for what is done in another way here, and how. */
export const UNLIKE_OURS: ReadonlyMap<string, string> = new Map([
  ['image', 'to run a container, write command: [docker, run, --rm, IMAGE]'],
  ['build', 'write the command that starts the program, or one of docker'],
  ['volumes', 'mount them in the command: [docker, run, -v, …]']
])

export const simplified = (name: string): string => name.toLowerCase().replace(/[-_]/g, '')
