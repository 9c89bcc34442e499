import { Container } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./PageFrame.module.css";

/** What is around every page: its header, if it has one, with a way past it, and its main part. */
export function PageFrame({
  header,
  size = "xl",
  children,
}: {
  header?: ReactNode;
  size?: "xs" | "sm" | "xl";
  children: ReactNode;
}) {
  return (
    <>
      {header && (
        <>
          <a className={classes.skip} href="#page">
            Skip to content
          </a>
          <header className={classes.header}>
            <Container size={size} className={classes.bar}>
              {header}
            </Container>
          </header>
        </>
      )}
      <Container size={size} component="main" id="page" tabIndex={-1} className={classes.main}>
        {children}
      </Container>
    </>
  );
}
