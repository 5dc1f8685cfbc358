/** What a keyframe was made with. One made with another is made anew: to be changed with anything that changes a screen. */
export const ENGINE = 'xterm-headless-6.0.0/1';
