def test_x(bundle, coloured_data, tmp_path, capsys):
    import subprocess
    from analysis.predict import main
    print(subprocess.run(["find", bundle], capture_output=True, text=True).stdout)
    print((bundle/"card.md").read_text()); print((bundle/"bundle.json").read_text())
    assert main([str(bundle),"--images",str(coloured_data.index.root),"--out",str(tmp_path/"p.csv")])==0
    print((tmp_path/"p.csv").read_text()[:800])
    assert 0
