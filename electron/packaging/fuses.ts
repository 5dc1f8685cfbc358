import { type FuseConfig, FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses';

/**
 * What is switched off in the binary itself, where no argument and no variable of the environment brings it back
 * (electronjs.org/docs/latest/tutorial/fuses). A fuse that a later Electron adds has to be decided on: packaging fails
 * until it stands here.
 */
export const fuses = {
  version: FuseVersion.V1,
  strictlyRequireAllFuses: true,
  // Otherwise anybody could have our signed binary run their script: `ELECTRON_RUN_AS_NODE=1 sallyport x.js`.
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.EnableCookieEncryption]: true,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  // One snapshot for both: there is none of our own.
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  // Nothing is loaded by file:.
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  // As Chromium has it: bounds of memory are checked by the processor.
  [FuseV1Options.WasmTrapHandlers]: true,
} as const satisfies FuseConfig;

/** `binary`: the executable, or on a Mac the `.app`. It is signed after this, and not before. */
export async function burnFuses(binary: string, isAdHocSigned: boolean): Promise<void> {
  await flipFuses(binary, { ...fuses, resetAdHocDarwinSignature: isAdHocSigned });
}
