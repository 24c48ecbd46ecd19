/** Reads the apps of other tools' files, and writes them as a template. Only `run` starts tools. */
export {importFrom} from './import-template.ts'
export {countNotes, templateText, usesDapr} from './write-template.ts'
export {withSeenPorts} from './reading/listening.ts'
export {variablesWithoutValue} from './reading/variables.ts'
export type {Imported} from './imported.ts'
export type {FoundSource} from './find-source.ts'
export type {OtherTool} from './reading/other-tool.ts'
