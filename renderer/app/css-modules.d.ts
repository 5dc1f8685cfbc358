declare module '*.module.css' {
  const classes: Readonly<Record<string, string>>;
  export default classes;
}
declare module '*.css';
declare module '@fontsource-variable/inter';
declare module '@fontsource/jetbrains-mono/400.css';
declare module '@fontsource/jetbrains-mono/700.css';
