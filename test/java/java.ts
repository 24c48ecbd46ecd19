import {join} from 'node:path'

/** A command that runs one of our programs in as little of a machine as a JVM needs. */
export const java = (folder: string, main: string): readonly string[] => [
  'java',
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-cp',
  [join(folder, 'classes'), join(folder, 'lib/*')].join(':'),
  main
]
