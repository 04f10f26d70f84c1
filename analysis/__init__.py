"""From run folders to decisions: tables, export, prediction. Works from files, without Ray."""
