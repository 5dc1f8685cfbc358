import { Button, createTheme, Drawer, Menu, Modal, Popover, Select, Textarea, TextInput, Tooltip } from '@mantine/core';

/**
 * How Mantine's pieces behave here. Colours and sizes are in tokens.css and mantine.css: nothing is injected as a style
 * tag, for the content security policy allows none. So no component may be given responsive style props, and none may
 * lock the page's scrolling (the page does not scroll).
 */
export const theme = createTheme({
  primaryColor: 'teal',
  defaultRadius: 6,
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: Button.extend({ defaultProps: { size: 'xs', variant: 'default' } }),
    TextInput: TextInput.extend({ defaultProps: { size: 'xs' } }),
    Textarea: Textarea.extend({ defaultProps: { size: 'xs' } }),
    Select: Select.extend({ defaultProps: { size: 'xs', comboboxProps: { withinPortal: true } } }),
    Modal: Modal.extend({
      defaultProps: {
        lockScroll: false,
        centered: true,
        transitionProps: { duration: 90 },
        closeButtonProps: { 'aria-label': 'Close' },
        // It is the heading of a dialog, and no banner of the page.
        attributes: { header: { role: 'presentation' } },
      },
    }),
    Drawer: Drawer.extend({ defaultProps: { lockScroll: false, closeButtonProps: { 'aria-label': 'Close' } } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 350, withArrow: false } }),
    Menu: Menu.extend({ defaultProps: { shadow: 'md', transitionProps: { duration: 80 } } }),
    Popover: Popover.extend({ defaultProps: { shadow: 'md', transitionProps: { duration: 80 } } }),
  },
});
