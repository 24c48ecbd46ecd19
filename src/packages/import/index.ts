/** Reads what other tools say of apps, and writes it as a template. It starts nothing. */
export {importFrom} from './import-template.ts'
export {countNotes, templateText, usesDapr} from './write-template.ts'
export {variablesWithoutValue} from './reading/variables.ts'
export type {Imported} from './imported.ts'
export type {FoundSource} from './find-source.ts'
